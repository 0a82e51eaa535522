import { useEffect } from 'react'

interface Shortcuts {
  readonly undo: () => void
  readonly redo: () => void
  readonly save: () => void
}

/** Ctrl-Z, Ctrl-Shift-Z (or Ctrl-Y) and Ctrl-S, also while a field is typed in: what it holds is part of what is undone. */
export function useShortcuts({ undo, redo, save }: Shortcuts): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || isInDialog(event.target)) return
      const act = actOf(event, { undo, redo, save })
      if (act === null) return
      event.preventDefault()
      act()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [undo, redo, save])
}

function actOf({ key, shiftKey }: KeyboardEvent, { undo, redo, save }: Shortcuts): (() => void) | null {
  switch (key.toLowerCase()) {
    case 'z':
      return shiftKey ? redo : undo
    case 'y':
      return redo
    case 's':
      return save
    default:
      return null
  }
}

/** A dialog stands over the editor, and has fields of its own. */
function isInDialog(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('[role=dialog]') !== null
}
