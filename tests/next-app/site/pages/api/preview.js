export default function handler(request, response) {
  response.setDraftMode({ enable: request.query.end === undefined });
  response.end('set');
}
