ALTER TABLE "nodes" ADD COLUMN "in_place_max_ms" integer;--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "on_fail" text;--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "drawn" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "topologies" ADD COLUMN "paused_reason" text;