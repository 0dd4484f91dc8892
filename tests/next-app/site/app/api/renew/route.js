import { revalidatePath, revalidateTag } from 'next/cache';

export function POST() {
  revalidateTag('count', 'max');
  revalidatePath('/isr');
  return new Response(null, { status: 204 });
}
