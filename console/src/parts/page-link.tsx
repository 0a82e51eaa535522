import { Anchor } from '@mantine/core'
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { routes } from '../pages/routes.ts'

interface PageLinkProps {
  /** With its query. */
  readonly to: string
  readonly children: ReactNode
}

/** A link to a page of the console; the mere words where this console has no such page. */
export function PageLink({ to, children }: PageLinkProps) {
  const first = `/${to.split(/[/?]/)[1] ?? ''}`
  if (!routes.some(({ path }) => path === first || path.startsWith(`${first}/`))) return children
  return (
    <Anchor component={Link} href={to} underline="hover" size="sm" inherit>
      {children}
    </Anchor>
  )
}
