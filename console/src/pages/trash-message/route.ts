import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/trash/:message',
  title: 'Message in Trash',
  menu: null,
  forOneTopology: true,
  load: () => import('./page.tsx'),
}
