'use server';

import { revalidatePath, updateTag } from 'next/cache';
import { cookies, headers } from 'next/headers';
import { notFound, redirect } from 'next/navigation';

async function user() {
  return (await headers()).get('x-forwarded-user') ?? 'nobody';
}

export async function say(form) {
  const word = form instanceof FormData ? form.get('word') : form;
  (await cookies()).set('said', `${word} by ${await user()}`);
  return { word, user: await user() };
}

export async function stay() {
  revalidatePath('/actions');
}

export async function renew() {
  updateTag('count');
  (await cookies()).delete('said');
}

export async function goTo(where) {
  const target = where instanceof FormData ? where.get('where') : where;
  (await cookies()).set('gone', 'yes');
  redirect(target);
}

export async function fail() {
  throw new Error('an action that fails on purpose');
}

export async function nothing() {
  notFound();
}

export async function measure(form) {
  return { bytes: (await form.get('file').arrayBuffer()).byteLength };
}
