export default function sitemap() {
  return [{ url: 'https://shop.example/plain', priority: 1 }];
}
