import type { ReactNode } from 'react'
import classes from './dot.module.css'

export type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'quiet'

/** A word with a dot in the colour of what it means; the word says it all. */
export function Dot({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return (
    <span className={classes.dot} data-tone={tone}>
      {children}
    </span>
  )
}
