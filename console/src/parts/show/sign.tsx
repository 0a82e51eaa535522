import type { ReactNode } from 'react'
import type { Tone } from './dot.tsx'
import classes from './show.module.css'

interface SignProps {
  readonly tone: Tone
  readonly children: ReactNode
}

/** A state: its colour for the quick eye, its word for everybody. */
export function Sign({ tone, children }: SignProps) {
  return (
    <span className={classes.sign} data-tone={tone}>
      {children}
    </span>
  )
}
