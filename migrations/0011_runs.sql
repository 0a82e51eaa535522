CREATE TABLE "reruns" (
	"run_id" text PRIMARY KEY NOT NULL,
	"rerun_of" text NOT NULL,
	"topology_id" text NOT NULL,
	"node_id" text NOT NULL,
	"key" text,
	"sequences" bigint[],
	"epoch" text,
	"revision" integer NOT NULL,
	"state" text DEFAULT 'open' NOT NULL,
	"by" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "run_milestones" (
	"run_id" text PRIMARY KEY NOT NULL,
	"nodes" json NOT NULL
);
--> statement-breakpoint
ALTER TABLE "topologies" ADD COLUMN "runs_keep_days" integer;--> statement-breakpoint
CREATE INDEX "reruns_of" ON "reruns" USING btree ("rerun_of","created_at");--> statement-breakpoint
CREATE INDEX "reruns_open" ON "reruns" USING btree ("created_at") WHERE state = 'open';