CREATE TABLE "node_figures" (
	"node_id" text NOT NULL,
	"step_seconds" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"waiting" integer NOT NULL,
	"in_flight" integer NOT NULL,
	"per_second" real NOT NULL,
	CONSTRAINT "node_figures_node_id_step_seconds_at_pk" PRIMARY KEY("node_id","step_seconds","at")
);
--> statement-breakpoint
CREATE INDEX "node_figures_at" ON "node_figures" USING btree ("step_seconds","at");