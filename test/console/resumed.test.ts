import { expect, test } from 'vitest'
import { resumedText } from '../../console/src/pages/service/resumed.ts'

test('of a service that is called again only what is known is told', () => {
  expect(resumedText('shopify', null, 2)).toBe('2 waits of shopify ended; with another 429 calls wait again')
  expect(resumedText('shopify', 'acme', 1)).toBe('1 wait of shopify for acme ended; with another 429 calls wait again')
  expect(resumedText('shopify', null, 0)).toBe('No wait of shopify was left to end')
})
