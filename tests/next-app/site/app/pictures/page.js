import Image from 'next/image';

export default function Page() {
  return <Image src="/picture.png" alt="A picture" width={64} height={64} priority />;
}
