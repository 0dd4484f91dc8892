import { ImageResponse } from 'next/og';

export const size = { width: 120, height: 63 };
export const contentType = 'image/png';

export default function Image() {
  return new ImageResponse(<div style={{ display: 'flex', fontSize: 24 }}>next-app</div>, size);
}
