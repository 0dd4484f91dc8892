export async function POST(request) {
  const parts = [];
  for (const [name, value] of await request.formData()) {
    const isFile = typeof value !== 'string';
    parts.push(isFile ? [name, value.name, value.type, value.size] : [name, value]);
  }
  return Response.json(parts);
}
