import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/trash',
  title: 'Trash',
  menu: { order: 3, icon: 'trash' },
  forOneTopology: true,
  load: () => import('./page.tsx'),
}
