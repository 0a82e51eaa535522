import { Button, Tooltip } from '@mantine/core'
import type { ButtonProps } from '@mantine/core'
import type { MouseEvent, ReactNode } from 'react'
import type { SessionScope } from '../api/engine.ts'
import { useWhyNot } from '../api/session.ts'

interface ActButtonProps extends Omit<ButtonProps, 'disabled'> {
  /** The scope that it needs. */
  readonly needs?: SessionScope
  /** Why it can't be done now, whatever the scope. */
  readonly whyNot?: string | null
  readonly onClick: () => void
  readonly children: ReactNode
}

/** A button that says on hover and focus why it can't be pressed, instead of being refused afterwards. */
export function ActButton({ needs, whyNot = null, onClick, children, ...rest }: ActButtonProps) {
  const lacking = useWhyNot(needs)
  const reason = lacking ?? whyNot
  const press = (event: MouseEvent): void => {
    event.preventDefault()
    if (reason === null) onClick()
  }
  const off = reason === null ? {} : { 'data-disabled': true, 'aria-disabled': true as const }
  return (
    <Tooltip label={reason} disabled={reason === null}>
      <Button {...rest} {...off} onClick={press}>
        {children}
      </Button>
    </Tooltip>
  )
}
