import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/cron',
  title: 'Cron',
  menu: { order: 5, icon: 'cron' },
  forOneTopology: true,
  load: () => import('./page.tsx'),
}
