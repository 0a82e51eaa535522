import { lazy } from 'react'
import type { PageRoute } from './route.ts'

const modules = import.meta.glob<PageRoute>('./*/route.ts', { eager: true, import: 'route' })

/** All pages, as their folders say. Longer paths are tried first: `/topologies/new` before `/topologies/:topology`. */
export const routes = Object.values(modules)
  .map((route) => ({ ...route, Component: lazy(route.load) }))
  .toSorted((a, b) => specificity(b.path) - specificity(a.path))

export const menu = routes
  .flatMap((route) => (route.menu === null ? [] : [{ ...route, ...route.menu }]))
  .toSorted((a, b) => a.order - b.order)

function specificity(path: string): number {
  return path.split('/').reduce((sum, part) => sum + (part.startsWith(':') ? 1 : 2), 0)
}
