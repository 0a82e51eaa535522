// Creates, publishes, runs and inspects a topology with a client that oapi-codegen generated: main URL TOKEN WORKER_URL.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"sluice/client/sluice"
)

var (
	ctx    = context.Background()
	client *sluice.ClientWithResponses
)

func main() {
	url, token, workerURL := os.Args[1], os.Args[2], os.Args[3]
	authorize := func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
	client = must(sluice.NewClientWithResponses(url, sluice.WithRequestEditorFn(authorize)))

	worker := must(client.CreateWorkerWithResponse(ctx, sluice.WorkerInput{Name: "gopher", Urls: []string{workerURL}}))
	check(worker.JSON201 != nil && worker.JSON201.Instances[0].Url == workerURL, string(worker.Body))
	create()
	run := ended(start("one"))
	check(run.State == sluice.RunStateFinished && run.Messages.Done == 3, run)
	check(start("one") == run.Id, "equal keys are one run")
	retune()
	fail()
	remove()
	fmt.Println("done")
}

func create() {
	shop, three := "gopher", 3
	document := sluice.TopologyDocument{
		Name: "go",
		Nodes: []sluice.TopologyDocumentNode{
			{Name: "start", Type: sluice.TopologyDocumentNodeTypeStart},
			{Name: "orders", Type: sluice.TopologyDocumentNodeTypeBatch, Worker: &shop},
			{Name: "check", Type: sluice.TopologyDocumentNodeTypeCustom, Worker: &shop, Prefetch: &three},
		},
		Edges: &[]sluice.TopologyDocumentEdge{{From: "start", To: "orders"}, {From: "orders", To: "check"}},
	}
	created := must(client.CreateTopologyWithResponse(ctx, document))
	check(created.JSON201 != nil && created.JSON201.Visibility == sluice.TopologyVisibilityDraft, string(created.Body))
	again := must(client.CreateTopologyWithResponse(ctx, document))
	check(again.StatusCode() == 409 && again.ApplicationproblemJSON409.Title == "Conflict", string(again.Body))
	published := must(client.PublishTopologyWithResponse(ctx, "go", nil))
	check(published.JSON200 != nil && published.JSON200.Revision == 1, string(published.Body))
}

func start(key string) string {
	accepted := must(client.RunTopologyWithResponse(ctx, "go", &sluice.RunTopologyParams{}, sluice.RunRequest{Key: &key}))
	check(accepted.JSON202 != nil, string(accepted.Body))
	return accepted.JSON202.RunId
}

func ended(id string) *sluice.Run {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		run := must(client.GetRunWithResponse(ctx, id)).JSON200
		if run != nil && run.State != sluice.RunStateRunning {
			return run
		}
	}
	panic("the run has not ended within 20 s")
}

// A new prefetch is stored at once, and in force with a republish.
func retune() {
	nodes := must(client.ListNodesWithResponse(ctx, "go")).JSON200.Items
	check(nodes[0].Prefetch == nil && *nodes[2].Prefetch == 3, nodes)
	seven, tooMany := 7, 21
	changed := must(client.ChangeNodeWithResponse(ctx, nodes[2].Id, nil, sluice.NodePatch{Prefetch: &seven})).JSON200
	check(*changed.Prefetch == 7 && *changed.Published.Prefetch == 3, changed)
	check(must(client.GetTopologyWithResponse(ctx, "go")).JSON200.BridgeOutOfSync, "the bridge is out of sync")
	republished := must(client.RepublishTopologyWithResponse(ctx, "go", nil)).JSON200
	check(!republished.BridgeOutOfSync && len(republished.Bridges.Applied) == 1, republished)
	refused := must(client.ChangeNodeWithResponse(ctx, nodes[2].Id, nil, sluice.NodePatch{Prefetch: &tooMany}))
	check((*refused.ApplicationproblemJSON400.Errors)[0].Path == "prefetch", string(refused.Body))
}

func fail() {
	shop, name := "gopher", "go-trash"
	must(client.CreateTopologyWithResponse(ctx, sluice.TopologyDocument{
		Name: name,
		Nodes: []sluice.TopologyDocumentNode{
			{Name: "start", Type: sluice.TopologyDocumentNodeTypeStart},
			{Name: "refuse", Type: sluice.TopologyDocumentNodeTypeConnector, Worker: &shop},
		},
		Edges: &[]sluice.TopologyDocumentEdge{{From: "start", To: "refuse"}},
	}))
	must(client.PublishTopologyWithResponse(ctx, name, nil))
	var body interface{} = map[string]int{"n": 1}
	accepted := must(client.RunTopologyWithResponse(ctx, name, &sluice.RunTopologyParams{}, sluice.RunRequest{Body: &body})).JSON202
	run := ended(accepted.RunId)
	check(run.State == sluice.RunStateFailed && run.Messages.Failed == 1, run)
	heads := must(client.ListTrashWithResponse(ctx, &sluice.ListTrashParams{Run: &run.Id})).JSON200.Items
	check(len(heads) == 1 && heads[0].Attempts == 1, heads)
	message := must(client.GetTrashWithResponse(ctx, heads[0].Id)).JSON200
	check(*message.Attempts[0].Status == 422, message)
}

func remove() {
	unpublished := must(client.UnpublishTopologyWithResponse(ctx, "go", nil))
	check(unpublished.JSON200.Visibility == sluice.TopologyVisibilityDraft, string(unpublished.Body))
	check(must(client.DeleteTopologyWithResponse(ctx, "go", nil)).StatusCode() == 204, "the topology is gone")
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func check(ok bool, about any) {
	if !ok {
		panic(fmt.Sprintf("not as it should be: %+v", about))
	}
}
