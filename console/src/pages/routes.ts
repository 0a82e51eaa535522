import { lazy } from 'react'
import type { PageRoute } from './route.ts'

const modules = import.meta.glob<PageRoute>('./*/route.ts', { eager: true, import: 'route' })

/** All pages, as their folders say. What is written out is tried first: `/trash/bulks` before `/trash/:message`. So nothing may be written out where people choose names. */
export const routes = Object.values(modules)
  .map((route) => ({ ...route, Component: lazy(route.load) }))
  .toSorted((a, b) => specificity(b.path) - specificity(a.path))

export const menu = routes
  .flatMap((route) => (route.menu === null ? [] : [{ ...route, ...route.menu }]))
  .toSorted((a, b) => a.order - b.order)

/** Begins to load the page of an address while it is still found out who is there. */
export function preload(path: string): void {
  const shown = path === '/' ? '/topologies' : path
  const route = routes.find((one) => new RegExp(`^${one.path.replaceAll(/:[^/]+/g, '[^/]+')}/?$`).test(shown))
  // What fails is said when the page is to be drawn.
  route?.load().catch(() => undefined)
}

function specificity(path: string): number {
  return path.split('/').reduce((sum, part) => sum + (part.startsWith(':') ? 1 : 2), 0)
}
