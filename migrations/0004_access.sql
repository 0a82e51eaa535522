CREATE TABLE "audit" (
	"id" text PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"who" text NOT NULL,
	"token_id" text,
	"session_id" text,
	"address" text,
	"action" text NOT NULL,
	"method" text NOT NULL,
	"path" text NOT NULL,
	"topology_id" text,
	"kind" text NOT NULL,
	"target_id" text NOT NULL,
	"target_name" text,
	"before" jsonb,
	"after" jsonb
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" text PRIMARY KEY NOT NULL,
	"hash" text NOT NULL,
	"token_id" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"last_used_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "sessions_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_token_id_tokens_id_fk" FOREIGN KEY ("token_id") REFERENCES "public"."tokens"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_at" ON "audit" USING btree ("at","id");--> statement-breakpoint
CREATE INDEX "audit_topology_at" ON "audit" USING btree ("topology_id","at","id");--> statement-breakpoint
CREATE INDEX "audit_who_at" ON "audit" USING btree ("who","at","id");--> statement-breakpoint
CREATE INDEX "audit_action_at" ON "audit" USING btree ("action","at","id");--> statement-breakpoint
CREATE INDEX "sessions_token" ON "sessions" USING btree ("token_id");--> statement-breakpoint
CREATE INDEX "sessions_expires" ON "sessions" USING btree ("expires_at");--> statement-breakpoint
-- Added by hand: what is written in the audit log stays as it is, and goes only by age (retention, a day at the least).
CREATE FUNCTION "audit_keep"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'DELETE' AND OLD."at" < now() - interval '23 hours' THEN
		RETURN OLD;
	END IF;
	RAISE EXCEPTION 'the audit log is append only';
END;
$$;
--> statement-breakpoint
CREATE TRIGGER "audit_keep" BEFORE UPDATE OR DELETE ON "audit" FOR EACH ROW EXECUTE FUNCTION "audit_keep"();
--> statement-breakpoint
CREATE TRIGGER "audit_keep_all" BEFORE TRUNCATE ON "audit" FOR EACH STATEMENT EXECUTE FUNCTION "audit_keep"();
