CREATE TABLE "trash_bulk_messages" (
	"bulk_id" text NOT NULL,
	"position" integer NOT NULL,
	"trash_id" text NOT NULL,
	"outcome" text DEFAULT 'waiting' NOT NULL,
	"why" text,
	"again_id" text,
	"place" jsonb,
	"sent_at" timestamp (3) with time zone,
	"settled_at" timestamp (3) with time zone,
	CONSTRAINT "trash_bulk_messages_bulk_id_position_pk" PRIMARY KEY("bulk_id","position")
);
--> statement-breakpoint
CREATE TABLE "trash_bulks" (
	"id" text PRIMARY KEY NOT NULL,
	"topology_id" text,
	"action" text NOT NULL,
	"filter" jsonb NOT NULL,
	"patch" jsonb,
	"canary" jsonb,
	"rate_per_second" double precision,
	"stop_at_failed_percent" integer NOT NULL,
	"reason" text,
	"by" text NOT NULL,
	"state" text DEFAULT 'running' NOT NULL,
	"step" text NOT NULL,
	"window" integer DEFAULT 0 NOT NULL,
	"step_base" integer DEFAULT 0 NOT NULL,
	"base_done" integer DEFAULT 0 NOT NULL,
	"base_failed" integer DEFAULT 0 NOT NULL,
	"recent" text DEFAULT '' NOT NULL,
	"total" integer DEFAULT 0 NOT NULL,
	"waiting" integer DEFAULT 0 NOT NULL,
	"under_way" integer DEFAULT 0 NOT NULL,
	"done" integer DEFAULT 0 NOT NULL,
	"failed_again" integer DEFAULT 0 NOT NULL,
	"refused" integer DEFAULT 0 NOT NULL,
	"discarded" integer DEFAULT 0 NOT NULL,
	"cancelled" integer DEFAULT 0 NOT NULL,
	"stopped_because" text,
	"waits_for" text,
	"rate_now" double precision DEFAULT 0 NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"lease_by" text,
	"lease_until" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE INDEX "trash_bulk_messages_outcome" ON "trash_bulk_messages" USING btree ("bulk_id","outcome","position");--> statement-breakpoint
CREATE INDEX "trash_bulks_created" ON "trash_bulks" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "trash_bulks_topology_created" ON "trash_bulks" USING btree ("topology_id","created_at","id");--> statement-breakpoint
CREATE INDEX "trash_bulks_unfinished" ON "trash_bulks" USING btree ("created_at") WHERE finished_at is null;--> statement-breakpoint
CREATE INDEX "trash_bulks_finished" ON "trash_bulks" USING btree ("finished_at") WHERE finished_at is not null;