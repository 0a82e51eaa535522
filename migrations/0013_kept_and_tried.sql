DROP INDEX "reruns_open";--> statement-breakpoint
ALTER TABLE "reruns" ADD COLUMN "tried_at" timestamp (3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
CREATE INDEX "reruns_open" ON "reruns" USING btree ("tried_at") WHERE state = 'open';--> statement-breakpoint
-- Of cursors that went with their runs, and of topologies that were deleted.
DELETE FROM "cursor_history" h WHERE NOT EXISTS (SELECT FROM "cursors" c WHERE c."id" = h."cursor_id");--> statement-breakpoint
DELETE FROM "watermarks" w WHERE NOT EXISTS (SELECT FROM "topologies" t WHERE t."id" = w."topology_id");--> statement-breakpoint
DELETE FROM "watermark_history" h WHERE NOT EXISTS (SELECT FROM "watermarks" w WHERE w."id" = h."watermark_id");--> statement-breakpoint
-- Runs are kept for three days at least: for so long the same delivery of a webhook has to be known as the same run.
UPDATE "topologies" SET "runs_keep_days" = 3 WHERE "runs_keep_days" IN (1, 2);
