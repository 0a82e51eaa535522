-- Engines of a few days have a column, made of the message, in place of this index; others would rewrite all of Trash for it.
DROP INDEX IF EXISTS "trash_tenant_created";--> statement-breakpoint
ALTER TABLE "trash" DROP COLUMN IF EXISTS "tenant";--> statement-breakpoint
CREATE INDEX "trash_tenant_created" ON "trash" USING btree ((message ->> 'tenant'),"created_at","id") WHERE (message ->> 'tenant') is not null;
