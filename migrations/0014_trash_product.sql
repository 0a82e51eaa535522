ALTER TABLE "runs" ADD COLUMN "start_erased_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "topologies" ADD COLUMN "trash_keep_days" integer;--> statement-breakpoint
ALTER TABLE "topologies" ADD COLUMN "trash_open_days" integer;--> statement-breakpoint
CREATE INDEX "trash_topology_settled" ON "trash" USING btree ("topology_id","settled_at","id") WHERE state <> 'open';