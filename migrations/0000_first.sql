CREATE TABLE "cursors" (
	"topology_id" text NOT NULL,
	"node_id" text NOT NULL,
	"run_id" text NOT NULL,
	"tenant" text,
	"page" integer NOT NULL,
	"cursor" text,
	"next" text,
	"watermark" text,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "cursors_topology_id_node_id_run_id_pk" PRIMARY KEY("topology_id","node_id","run_id")
);
--> statement-breakpoint
CREATE TABLE "nodes" (
	"id" text PRIMARY KEY NOT NULL,
	"topology_id" text NOT NULL,
	"name" text NOT NULL,
	"type" text NOT NULL,
	"ordinal" integer NOT NULL,
	"in_draft" boolean DEFAULT true NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"prefetch" integer,
	"timeout_ms" integer,
	"retry" jsonb,
	"cron" text,
	"version" integer DEFAULT 1 NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "recorder_positions" (
	"topology_id" text PRIMARY KEY NOT NULL,
	"epoch" text NOT NULL,
	"position" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "revisions" (
	"topology_id" text NOT NULL,
	"revision" integer NOT NULL,
	"kind" text NOT NULL,
	"plan" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "revisions_topology_id_revision_pk" PRIMARY KEY("topology_id","revision")
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"id" text PRIMARY KEY NOT NULL,
	"topology_id" text NOT NULL,
	"topology_name" text NOT NULL,
	"node_id" text NOT NULL,
	"node_name" text NOT NULL,
	"tenant" text,
	"state" text DEFAULT 'running' NOT NULL,
	"start_seen" boolean NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"finished_at" timestamp (3) with time zone,
	"revision" integer,
	"done" bigint DEFAULT 0 NOT NULL,
	"failed" bigint DEFAULT 0 NOT NULL,
	"discarded" bigint DEFAULT 0 NOT NULL,
	"cancelled" bigint DEFAULT 0 NOT NULL,
	"in_progress" bigint DEFAULT 0 NOT NULL,
	"start_headers" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"start_content_type" text,
	"start_body" "bytea"
);
--> statement-breakpoint
CREATE TABLE "services" (
	"name" text PRIMARY KEY NOT NULL,
	"limits" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"max_in_flight" integer,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tokens" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"hash" text NOT NULL,
	"scopes" jsonb NOT NULL,
	"topology_id" text,
	"expires_at" timestamp (3) with time zone,
	"last_used_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tokens_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "topologies" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"description" text,
	"labels" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"document" jsonb NOT NULL,
	"visibility" text DEFAULT 'draft' NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"paused" boolean DEFAULT false NOT NULL,
	"bridge_out_of_sync" boolean DEFAULT false NOT NULL,
	"revision" integer DEFAULT 0 NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "topologies_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "trash" (
	"id" text PRIMARY KEY NOT NULL,
	"topology_id" text NOT NULL,
	"topology_name" text NOT NULL,
	"node_id" text NOT NULL,
	"node_name" text NOT NULL,
	"revision" integer NOT NULL,
	"run_id" text NOT NULL,
	"message_id" text NOT NULL,
	"attempts" jsonb NOT NULL,
	"error" jsonb NOT NULL,
	"fingerprint" text NOT NULL,
	"message" jsonb NOT NULL,
	"headers" jsonb NOT NULL,
	"content_type" text NOT NULL,
	"body" "bytea" NOT NULL,
	"state" text DEFAULT 'open' NOT NULL,
	"reason" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"settled_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "trash_versions" (
	"trash_id" text NOT NULL,
	"version" integer NOT NULL,
	"headers" jsonb NOT NULL,
	"content_type" text NOT NULL,
	"body" "bytea" NOT NULL,
	"reason" text,
	"by" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "trash_versions_trash_id_version_pk" PRIMARY KEY("trash_id","version")
);
--> statement-breakpoint
CREATE TABLE "workers" (
	"name" text PRIMARY KEY NOT NULL,
	"urls" jsonb NOT NULL,
	"dialect" text DEFAULT 'native' NOT NULL,
	"secret" text,
	"timeout_ms" integer,
	"manifest" jsonb,
	"manifest_read_at" timestamp (3) with time zone,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "nodes" ADD CONSTRAINT "nodes_topology_id_topologies_id_fk" FOREIGN KEY ("topology_id") REFERENCES "public"."topologies"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "revisions" ADD CONSTRAINT "revisions_topology_id_topologies_id_fk" FOREIGN KEY ("topology_id") REFERENCES "public"."topologies"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tokens" ADD CONSTRAINT "tokens_topology_id_topologies_id_fk" FOREIGN KEY ("topology_id") REFERENCES "public"."topologies"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "trash_versions" ADD CONSTRAINT "trash_versions_trash_id_trash_id_fk" FOREIGN KEY ("trash_id") REFERENCES "public"."trash"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "cursors_run" ON "cursors" USING btree ("run_id");--> statement-breakpoint
CREATE UNIQUE INDEX "nodes_topology_name" ON "nodes" USING btree ("topology_id","name");--> statement-breakpoint
CREATE INDEX "runs_started" ON "runs" USING btree ("started_at","id");--> statement-breakpoint
CREATE INDEX "runs_topology_started" ON "runs" USING btree ("topology_id","started_at","id");--> statement-breakpoint
CREATE INDEX "runs_state_started" ON "runs" USING btree ("state","started_at","id");--> statement-breakpoint
CREATE INDEX "trash_created" ON "trash" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "trash_topology_created" ON "trash" USING btree ("topology_id","created_at","id");--> statement-breakpoint
CREATE INDEX "trash_node_created" ON "trash" USING btree ("node_id","created_at","id");--> statement-breakpoint
CREATE INDEX "trash_run_created" ON "trash" USING btree ("run_id","created_at","id");--> statement-breakpoint
CREATE INDEX "trash_fingerprint_created" ON "trash" USING btree ("fingerprint","created_at","id");--> statement-breakpoint
CREATE INDEX "trash_open_created" ON "trash" USING btree ("created_at","id") WHERE state = 'open';