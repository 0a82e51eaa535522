import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/tokens',
  title: 'Tokens',
  menu: { order: 20, icon: 'tokens' },
  load: () => import('./page.tsx'),
}
