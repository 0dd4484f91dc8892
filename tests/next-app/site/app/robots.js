export default function robots() {
  return { rules: { userAgent: '*', allow: '/' }, sitemap: 'https://shop.example/sitemap.xml' };
}
