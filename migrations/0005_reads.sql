CREATE INDEX "runs_tenant_started" ON "runs" USING btree ("tenant","started_at","id");--> statement-breakpoint
CREATE INDEX "runs_node_name_started" ON "runs" USING btree ("node_name","started_at","id");--> statement-breakpoint
CREATE INDEX "trash_open_groups" ON "trash" USING btree ("topology_id","fingerprint","created_at") WHERE state = 'open';