CREATE TABLE "trash_groups" (
	"topology_id" text NOT NULL,
	"node_id" text NOT NULL,
	"fingerprint" text NOT NULL,
	"open" bigint NOT NULL,
	"replayed" bigint NOT NULL,
	"discarded" bigint NOT NULL,
	"total" bigint GENERATED ALWAYS AS (open + replayed + discarded) STORED,
	CONSTRAINT "trash_groups_topology_id_node_id_fingerprint_pk" PRIMARY KEY("topology_id","node_id","fingerprint")
);
--> statement-breakpoint
DROP INDEX "trash_open_groups";--> statement-breakpoint
CREATE INDEX "trash_groups_node" ON "trash_groups" USING btree ("node_id");--> statement-breakpoint
CREATE INDEX "trash_groups_fingerprint" ON "trash_groups" USING btree ("fingerprint");--> statement-breakpoint
CREATE INDEX "trash_groups_total" ON "trash_groups" USING btree ("total");--> statement-breakpoint
CREATE INDEX "trash_groups_open" ON "trash_groups" USING btree ("open") WHERE open > 0;--> statement-breakpoint
CREATE INDEX "topologies_states" ON "topologies" USING btree ("visibility","enabled","paused","bridge_out_of_sync");--> statement-breakpoint
CREATE INDEX "trash_fingerprint_state_created" ON "trash" USING btree ("fingerprint","state","created_at","id");--> statement-breakpoint
-- Added by hand: trash_groups counts the rows of trash, in the transaction that writes them. Groups are taken in the order of their
-- key. A transition table that an operation doesn't have is never looked at, since its branch is not taken.
CREATE FUNCTION "trash_groups_follow"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		INSERT INTO trash_groups AS g (topology_id, node_id, fingerprint, open, replayed, discarded)
		SELECT topology_id, node_id, fingerprint, count(*) FILTER (WHERE state = 'open'),
			count(*) FILTER (WHERE state = 'replayed'), count(*) FILTER (WHERE state = 'discarded')
		FROM fresh GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
		ON CONFLICT (topology_id, node_id, fingerprint) DO UPDATE SET open = g.open + excluded.open,
			replayed = g.replayed + excluded.replayed, discarded = g.discarded + excluded.discarded;
	ELSIF TG_OP = 'UPDATE' THEN
		INSERT INTO trash_groups AS g (topology_id, node_id, fingerprint, open, replayed, discarded)
		SELECT topology_id, node_id, fingerprint, open, replayed, discarded FROM (
			SELECT topology_id, node_id, fingerprint, sum(by * (state = 'open')::int) AS open,
				sum(by * (state = 'replayed')::int) AS replayed, sum(by * (state = 'discarded')::int) AS discarded
			FROM (
				SELECT topology_id, node_id, fingerprint, state, 1 AS by FROM fresh
				UNION ALL SELECT topology_id, node_id, fingerprint, state, -1 FROM gone
			) AS rows GROUP BY 1, 2, 3
		) AS changes WHERE (open, replayed, discarded) <> (0, 0, 0) ORDER BY 1, 2, 3
		ON CONFLICT (topology_id, node_id, fingerprint) DO UPDATE SET open = g.open + excluded.open,
			replayed = g.replayed + excluded.replayed, discarded = g.discarded + excluded.discarded;
	ELSIF TG_OP = 'TRUNCATE' THEN
		TRUNCATE trash_groups;
	ELSE
		INSERT INTO trash_groups AS g (topology_id, node_id, fingerprint, open, replayed, discarded)
		SELECT topology_id, node_id, fingerprint, -count(*) FILTER (WHERE state = 'open'),
			-count(*) FILTER (WHERE state = 'replayed'), -count(*) FILTER (WHERE state = 'discarded')
		FROM gone GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
		ON CONFLICT (topology_id, node_id, fingerprint) DO UPDATE SET open = g.open + excluded.open,
			replayed = g.replayed + excluded.replayed, discarded = g.discarded + excluded.discarded;
		DELETE FROM trash_groups AS g
		USING (SELECT DISTINCT topology_id, node_id, fingerprint FROM gone) AS d
		WHERE (g.topology_id, g.node_id, g.fingerprint) = (d.topology_id, d.node_id, d.fingerprint) AND g.total = 0;
	END IF;
	RETURN NULL;
END;
$$;
--> statement-breakpoint
-- The first of these triggers keeps writers out until the rows that are there already are counted.
CREATE TRIGGER "trash_groups_inserted" AFTER INSERT ON "trash" REFERENCING NEW TABLE AS fresh
	FOR EACH STATEMENT EXECUTE FUNCTION "trash_groups_follow"();
--> statement-breakpoint
CREATE TRIGGER "trash_groups_updated" AFTER UPDATE ON "trash" REFERENCING OLD TABLE AS gone NEW TABLE AS fresh
	FOR EACH STATEMENT EXECUTE FUNCTION "trash_groups_follow"();
--> statement-breakpoint
CREATE TRIGGER "trash_groups_deleted" AFTER DELETE ON "trash" REFERENCING OLD TABLE AS gone
	FOR EACH STATEMENT EXECUTE FUNCTION "trash_groups_follow"();
--> statement-breakpoint
CREATE TRIGGER "trash_groups_emptied" AFTER TRUNCATE ON "trash" FOR EACH STATEMENT EXECUTE FUNCTION "trash_groups_follow"();
--> statement-breakpoint
INSERT INTO "trash_groups" (topology_id, node_id, fingerprint, open, replayed, discarded)
SELECT topology_id, node_id, fingerprint, count(*) FILTER (WHERE state = 'open'),
	count(*) FILTER (WHERE state = 'replayed'), count(*) FILTER (WHERE state = 'discarded')
FROM "trash" GROUP BY 1, 2, 3;
