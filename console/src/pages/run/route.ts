import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/runs/:run',
  title: 'Run',
  menu: null,
  forOneTopology: true,
  load: () => import('./page.tsx'),
}
