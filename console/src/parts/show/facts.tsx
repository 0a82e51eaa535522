import type { ReactNode } from 'react'
import classes from './show.module.css'

interface FactsProps {
  /** Name and value; what is null isn't shown. */
  readonly of: readonly (readonly [string, ReactNode] | null)[]
}

/** What is known of one thing, each with its name. */
export function Facts({ of }: FactsProps) {
  return (
    <dl className={classes.facts}>
      {of.map((fact) =>
        fact === null ? null : (
          <div key={fact[0]}>
            <dt>{fact[0]}</dt>
            <dd>{fact[1] ?? '–'}</dd>
          </div>
        ),
      )}
    </dl>
  )
}

/** What is written for machines: ids, cursors, addresses. */
export function Mono({ children }: { readonly children: ReactNode }) {
  return <span className={classes.mono}>{children}</span>
}
