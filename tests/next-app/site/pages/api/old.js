export default function handler(request, response) {
  if (request.query.to) return response.redirect(307, request.query.to);
  response.setHeader('Set-Cookie', ['old=1; Path=/', 'older=2; Path=/']);
  response.status(202).json({ method: request.method, query: request.query, body: request.body ?? null });
}
