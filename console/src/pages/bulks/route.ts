import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/trash/bulks',
  title: 'Bulks',
  menu: null,
  forOneTopology: true,
  load: () => import('./page.tsx'),
}
