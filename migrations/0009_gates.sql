CREATE TABLE "gates" (
	"node_id" text PRIMARY KEY NOT NULL,
	"topology_id" text NOT NULL,
	"cron" text,
	"timezone" text,
	"overlap" text DEFAULT 'allow' NOT NULL,
	"missed" text DEFAULT 'once' NOT NULL,
	"message" jsonb,
	"anchor_at" timestamp (3) with time zone,
	"next_at" timestamp (3) with time zone,
	"last_at" timestamp (3) with time zone,
	"last_run_id" text,
	"skipped_at" timestamp (3) with time zone,
	"skipped_reason" text,
	"skipped_run_id" text,
	"skipped" bigint DEFAULT 0 NOT NULL,
	"line" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "start_trace" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "scheduled_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "start_state" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "start_state_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "line" bigint;--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "timezone" text;--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "overlap" text;--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "missed" text;--> statement-breakpoint
ALTER TABLE "gates" ADD CONSTRAINT "gates_topology_id_topologies_id_fk" FOREIGN KEY ("topology_id") REFERENCES "public"."topologies"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "gates_next" ON "gates" USING btree ("next_at");--> statement-breakpoint
CREATE INDEX "gates_topology" ON "gates" USING btree ("topology_id");--> statement-breakpoint
CREATE INDEX "runs_node_running" ON "runs" USING btree ("node_id") WHERE state = 'running';--> statement-breakpoint
CREATE INDEX "runs_start_state" ON "runs" USING btree ("start_state","start_state_at") WHERE start_state is not null;