import { expect, test } from 'vitest'
import { exactJsonFault } from '../../console/src/parts/body/json-fault.ts'
import { base64Of } from '../../console/src/parts/body/text.ts'
import { readPatch } from '../../console/src/pages/trash/bulk/read-patch.ts'
import { emptyDraft, requestOf } from '../../console/src/pages/worker/try/request.ts'

const large = '{"id":12345678901234567890,"n":1.0,"n":1e400}'

test.each(['12345678901234567890', '9007199254740993', '1e400', '-1e400', '0.12345678901234567891', '1e-400'])(
  'a patch with the number %s, which would become another one, is refused with that number',
  (number) => {
    const fault = expect.stringContaining(`The number ${number} would become another one`) as string
    expect(readPatch('merge-patch', `{"a": "1", "id": ${number}}`)).toEqual({ value: null, fault })
    expect(readPatch('json-patch', `[{"op":"add","path":"/id","value":${number}}]`)).toEqual({ value: null, fault })
  },
)

test.each(['0', '-1', '1.0', '0.1', '1e3', '9007199254740992', '1.7976931348623157e308', '"12345678901234567890"'])(
  'a patch with %s is taken',
  (value) => {
    expect(exactJsonFault(value)).toBe(null)
    expect(readPatch('merge-patch', `{"id": ${value}}`)).toEqual({
      value: { type: 'merge-patch', value: { id: JSON.parse(value) as unknown } },
      fault: null,
    })
  },
)

test('what is no JSON, or no list of operations, is no patch', () => {
  expect(readPatch('merge-patch', '{"a" 1}').fault).toContain('a colon is missing')
  expect(readPatch('json-patch', '{"a": 1}').fault).toContain('a list of operations')
  expect(readPatch('merge-patch', ' ').fault).toBe('Say what is to be changed')
  expect(readPatch('none', 'anything')).toEqual({ value: null, fault: null })
})

test('a node is called with the JSON that was typed, byte by byte', () => {
  const { request } = requestOf({ ...emptyDraft, body: large })
  expect(request).toEqual({ contentType: 'application/json', bodyBase64: base64Of(large) })
  expect(requestOf({ ...emptyDraft, body: '{' }).fault?.message).toContain('This is no JSON at line 1')
  expect(requestOf({ ...emptyDraft, contentType: 'text/plain', body: '{' }).request).toEqual({
    contentType: 'text/plain',
    body: '{',
  })
})
