CREATE TABLE "webhooks" (
	"node_id" text PRIMARY KEY NOT NULL,
	"path_secret" text,
	"path_hash" text,
	"previous_path_hash" text,
	"previous_path_until" timestamp (3) with time zone,
	"signing_secret" text,
	"previous_signing_secret" text,
	"previous_signing_until" timestamp (3) with time zone,
	"verify_token" text,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "webhooks" ADD CONSTRAINT "webhooks_node_id_nodes_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."nodes"("id") ON DELETE cascade ON UPDATE no action;