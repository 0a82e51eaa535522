CREATE TABLE "cursor_history" (
	"cursor_id" text NOT NULL,
	"page" integer NOT NULL,
	"edit" integer NOT NULL,
	"deed" text NOT NULL,
	"cursor" text,
	"next" text,
	"progress" text,
	"by" text,
	"reason" text,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "cursor_history_cursor_id_page_edit_pk" PRIMARY KEY("cursor_id","page","edit")
);
--> statement-breakpoint
CREATE TABLE "watermark_history" (
	"watermark_id" text NOT NULL,
	"version" bigint NOT NULL,
	"deed" text NOT NULL,
	"watermark" text,
	"run_id" text,
	"by" text,
	"reason" text,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "watermark_history_watermark_id_version_pk" PRIMARY KEY("watermark_id","version")
);
--> statement-breakpoint
CREATE TABLE "watermarks" (
	"id" text PRIMARY KEY NOT NULL,
	"topology_id" text NOT NULL,
	"node_id" text NOT NULL,
	"tenant" text,
	"watermark" text,
	"epoch" integer DEFAULT 0 NOT NULL,
	"version" bigint DEFAULT 0 NOT NULL,
	"told" bigint DEFAULT 0 NOT NULL,
	"run_id" text,
	"run_started_at" timestamp (3) with time zone,
	"by" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "cursors" DROP CONSTRAINT "cursors_topology_id_node_id_run_id_pk";--> statement-breakpoint
ALTER TABLE "cursors" ADD COLUMN "id" text DEFAULT gen_random_uuid()::text NOT NULL;--> statement-breakpoint
ALTER TABLE "cursors" ADD COLUMN "message_id" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "cursors" ADD COLUMN "is_ended" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "cursors" ADD COLUMN "progress" text;--> statement-breakpoint
ALTER TABLE "cursors" ADD COLUMN "since" text;--> statement-breakpoint
ALTER TABLE "cursors" ADD COLUMN "epoch" integer;--> statement-breakpoint
ALTER TABLE "cursors" ADD COLUMN "commit" text;--> statement-breakpoint
ALTER TABLE "cursors" ADD COLUMN "reconcile" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "cursors" ADD COLUMN "edit" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "cursors" ADD COLUMN "edited_cursor" text;--> statement-breakpoint
ALTER TABLE "cursors" ADD COLUMN "edited_by" text;--> statement-breakpoint
ALTER TABLE "cursors" ADD COLUMN "edited_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "cursors" ADD COLUMN "edit_told" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "cursors" ADD COLUMN "edit_taken" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "cursors" ADD COLUMN "started_at" timestamp (3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "start_reconcile" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "watermarks_topology" ON "watermarks" USING btree ("topology_id","id");--> statement-breakpoint
CREATE INDEX "watermarks_untold" ON "watermarks" USING btree ("id") WHERE told < version;--> statement-breakpoint
CREATE UNIQUE INDEX "cursors_id" ON "cursors" USING btree ("id");--> statement-breakpoint
CREATE INDEX "cursors_started" ON "cursors" USING btree ("started_at","id");--> statement-breakpoint
CREATE INDEX "cursors_topology_started" ON "cursors" USING btree ("topology_id","started_at","id");--> statement-breakpoint
CREATE INDEX "cursors_open" ON "cursors" USING btree ("started_at","id") WHERE not is_ended;--> statement-breakpoint
CREATE INDEX "cursors_untold" ON "cursors" USING btree ("id") WHERE edit_told < edit;