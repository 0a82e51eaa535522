import { Anchor } from '@mantine/core'
import type { ReactNode } from 'react'
import { Link } from 'wouter'

/** To the page of a run, by whatever words. */
export function RunLink({ id, children }: { readonly id: string; readonly children: ReactNode }) {
  return (
    <Anchor component={Link} href={`/runs/${id}`} size="sm">
      {children}
    </Anchor>
  )
}
