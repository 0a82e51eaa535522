import { defineConfig } from 'drizzle-kit'

/** `npx drizzle-kit generate --name <what>` writes the next migration from the schema; it is read by a person before it is committed. */
export default defineConfig({
  dialect: 'postgresql',
  schema: './runtime/store/schema/index.ts',
  out: './migrations',
})
