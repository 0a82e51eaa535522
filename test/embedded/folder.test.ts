import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { lockFolder, readDevState, removeDevState, writeDevState } from '../../runtime/embedded/folder.ts'
import { processIdentity } from '../../runtime/embedded/process.ts'
import { Conflict } from '../../runtime/errors.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-folder-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

test('a second lock is refused with the pid that holds the folder, in one line', () => {
  lockFolder(folder)
  expect(() => lockFolder(folder)).toThrow(Conflict)
  expect(() => lockFolder(folder)).toThrow(new RegExp(`^[^\\n]*pid ${process.pid}\\b[^\\n]*$`))
})

test('a folder that was given back can be locked again, and no file is left', () => {
  lockFolder(folder)()
  expect(readdirSync(folder)).toEqual([])
  lockFolder(folder)()
})

test('the lock of a process that has ended is taken over', () => {
  const dead = spawnSync('true').pid
  writeFileSync(join(folder, 'lock.7'), JSON.stringify({ pid: dead, identity: 'boot/1' }))
  lockFolder(folder)
  expect(readdirSync(folder)).toEqual(['lock.8'])
  expect(() => lockFolder(folder)).toThrow(Conflict)
})

test('the lock of a process whose pid another one has now is taken over', () => {
  writeFileSync(join(folder, 'lock.1'), JSON.stringify({ pid: process.pid, identity: 'an earlier boot/1' }))
  lockFolder(folder)()
})

test('a lock file that was cut off by a full disk is taken over', () => {
  writeFileSync(join(folder, 'lock.1'), '')
  lockFolder(folder)()
})

test('two processes never have the same identity, and an ended one has none', () => {
  expect(processIdentity(process.pid)).toBe(processIdentity(process.pid))
  expect(processIdentity(process.pid)).not.toBe(processIdentity(process.ppid))
  expect(processIdentity(spawnSync('true').pid)).toBeNull()
})

test('the state of a running engine is read back, and its file is for the owner only', () => {
  const unlock = lockFolder(folder)
  writeDevState(folder, state)
  expect(readDevState(folder)).toEqual(state)
  expect(statSync(join(folder, 'dev.json')).mode & 0o777).toBe(0o600)
  unlock()
  expect(readDevState(folder)).toBeNull()
})

test('there is no state when it was removed, or where no engine ever ran', () => {
  const unlock = lockFolder(folder)
  writeDevState(folder, state)
  removeDevState(folder)
  removeDevState(folder)
  expect(readDevState(folder)).toBeNull()
  unlock()
  expect(readDevState(join(folder, 'never'))).toBeNull()
})

test('a state file that a person has broken counts as none', () => {
  lockFolder(folder)
  writeDevState(folder, state)
  const file = join(folder, 'dev.json')
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, 20))
  expect(readDevState(folder)).toBeNull()
})

const state = {
  pid: process.pid,
  url: 'http://127.0.0.1:8484',
  token: 'sl_1',
  natsUrl: 'nats://127.0.0.1:1',
  postgresUrl: 'postgres://127.0.0.1:2/sluiceway',
}
