import { useEffect, useRef } from 'react'

export interface Shortcuts {
  readonly undo: () => void
  readonly redo: () => void
  readonly save: () => void
  /** Of what is selected on the graph. */
  readonly remove: () => void
  readonly unselect: () => void
}

/**
 * Ctrl-Z, Ctrl-Shift-Z (or Ctrl-Y) and Ctrl-S, also while a field of a form is typed in: what it holds is part of what is undone. Delete and Escape
 * only where the graph is looked at: in a field they are of its text.
 */
export function useShortcuts(shortcuts: Shortcuts): void {
  const now = useRef(shortcuts)
  useEffect(() => {
    now.current = shortcuts
  })
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.altKey || isAbove(event.target)) return
      const act = event.ctrlKey || event.metaKey ? withCtrl(event, now.current) : onGraph(event, now.current)
      if (act === null) return
      event.preventDefault()
      act()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [])
}

function withCtrl({ key, shiftKey, target }: KeyboardEvent, { undo, redo, save }: Shortcuts): (() => void) | null {
  const pressed = key.toLowerCase()
  if (pressed === 's') return save
  // What is searched is no part of the graph: it is undone by the browser.
  if (isIn(target, '[role=search]')) return null
  if (pressed === 'z') return shiftKey ? redo : undo
  return pressed === 'y' ? redo : null
}

/** What takes keys itself. */
const controls = 'input, textarea, select, button, a, [contenteditable]'

function onGraph({ key, target }: KeyboardEvent, { remove, unselect }: Shortcuts): (() => void) | null {
  if (!(target instanceof Element) || (target.closest('.react-flow') === null && target.closest(controls) !== null))
    return null
  if (key === 'Delete' || key === 'Backspace') return remove
  return key === 'Escape' ? unselect : null
}

/** A dialog or a menu stands over the editor, and has keys of its own. */
function isAbove(target: EventTarget | null): boolean {
  return isIn(target, '[role=dialog], [role=menu]')
}

function isIn(target: EventTarget | null, selector: string): boolean {
  return target instanceof Element && target.closest(selector) !== null
}
