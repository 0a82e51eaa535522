import type { Page } from 'playwright-core'

/** What nobody can read since there is no room for it, one line each. What can be scrolled to is there, and an ellipsis says that there is more. */
export function cutOff(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(find)
}

/** Runs within the page. A graph is moved about, and what is clipped is for screen readers. */
const find = `(() => {
  const root = document.documentElement
  const over = root.scrollWidth - root.clientWidth
  const found = over > 0 ? ['the page is ' + over + ' pixels too wide'] : []
  const cutter = (from, left, right) => {
    for (let element = from; element !== null; element = element.parentElement) {
      const { overflowX, textOverflow, clipPath, visibility } = getComputedStyle(element)
      if (visibility === 'hidden' || clipPath !== 'none' || textOverflow === 'ellipsis') return null
      if (['auto', 'scroll'].includes(overflowX) || element.matches('.react-flow') || element.clientWidth === 1) return null
      const box = element.getBoundingClientRect()
      if (['hidden', 'clip'].includes(overflowX) && (left < box.left - 1 || right > box.right + 1)) return element.className
    }
    return left < -1 || right > root.clientWidth + 1 ? 'the window' : null
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    if (node.textContent.trim() === '') continue
    const range = document.createRange()
    range.selectNodeContents(node)
    const { left, right, width, height } = range.getBoundingClientRect()
    const by = width === 0 || height === 0 ? null : cutter(node.parentElement, left, right)
    if (by !== null) found.push('“' + node.textContent.trim().slice(0, 40) + '” is cut off by ' + by)
  }
  return found
})()`
