package harness

// Receivers of several instances, which share the series among them or have copies: past one machine, Mimir and Thanos are run so.

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
)

// Cluster is a receiver of several instances.
type Cluster struct {
	Instances []*Receiver
	reader    *Receiver // executes queries; one of the instances, unless these have a separate program for it
}

// clustered has the kinds that can have several instances, and the arguments of each.
var clustered = map[Kind]struct {
	member    Kind
	arguments func(r *Receiver, all []*Receiver, replication int, address string) []string
}{
	Mimir:  {Mimir, mimirInstance},
	Thanos: {thanosReceive, thanosInstance},
}

// thanosReceive is one of several Receives, which share a Query.
const thanosReceive Kind = "thanos receive"

func init() {
	alone := flavours[Thanos]
	alone.reader = ""
	flavours[thanosReceive] = alone
}

// StartCluster starts instances that store every series on `replication` of them, whichever accepts the request. With a
// replication of 0, Thanos's instances do not know of each other.
func StartCluster(kind Kind, instances, replication int, flags ...string) (*Cluster, error) {
	cluster := &Cluster{}
	for range instances {
		instance, err := newReceiver(clustered[kind].member)
		if err != nil {
			cluster.Stop()
			return nil, err
		}
		instance.arguments = func(r *Receiver, address string) []string {
			return append(clustered[kind].arguments(r, cluster.Instances, replication, address), flags...)
		}
		cluster.Instances = append(cluster.Instances, instance)
	}
	if err := cluster.start(kind); err != nil {
		cluster.Stop()
		return nil, err
	}
	return cluster, nil
}

func (c *Cluster) start(kind Kind) error {
	for _, instance := range c.Instances {
		if err := instance.start("127.0.0.1:0", false); err != nil {
			return err
		}
	}
	if kind == Thanos {
		return c.startQuery()
	}
	c.reader = c.Instances[0]
	return c.awaitRing()
}

// startQuery starts a Thanos Query over all instances. Series that differ only in their instance are copies.
func (c *Cluster) startQuery() error {
	reader, err := newReceiver(thanosQuery)
	if err != nil {
		return err
	}
	c.reader = reader
	reader.addresses["store"] = c.Instances[0].Address("grpc")
	reader.arguments = func(r *Receiver, address string) []string {
		arguments := append(flavours[thanosQuery].arguments(r, address), "--query.replica-label=receive")
		for _, instance := range c.Instances[1:] {
			arguments = append(arguments, "--endpoint="+instance.Address("grpc"))
		}
		return arguments
	}
	return reader.start("127.0.0.1:0", false)
}

// awaitRing waits until all Mimirs know of each other.
func (c *Cluster) awaitRing() error {
	return Await("all instances to know each other", receiverStart, func() bool {
		return !slices.ContainsFunc(c.Instances, func(instance *Receiver) bool {
			page, err := instance.get("/ingester/ring")
			return err != nil || strings.Count(string(page), ">ACTIVE<") != len(c.Instances)
		})
	})
}

// Reader returns the receiver to query.
func (c *Cluster) Reader() *Receiver { return c.reader }

// Restart starts an instance again that was killed, with its address and data.
func (c *Cluster) Restart(instance *Receiver) error {
	if err := instance.Restart(); err != nil || c.reader.Kind != thanosQuery {
		return err
	}
	c.reader.Stop() // a Query would connect to the instance only seconds later
	return c.startQuery()
}

// Stop stops all instances and removes their data.
func (c *Cluster) Stop() {
	for _, receiver := range append(slices.Clone(c.Instances), c.reader) {
		if receiver != nil {
			receiver.Stop()
		}
	}
}

// mimirInstance returns the arguments of one of several Mimirs that find each other by gossip.
func mimirInstance(r *Receiver, all []*Receiver, replication int, address string) []string {
	_, gossip, _ := net.SplitHostPort(r.Address("gossip"))
	name := fmt.Sprintf("mimir-%d", slices.Index(all, r)+1)
	arguments := append(mimirArguments(r, address),
		"-memberlist.nodename="+name,
		"-memberlist.bind-port="+gossip,
		"-distributor.ring.store=memberlist",
		"-distributor.ring.instance-id="+name,
		"-ingester.ring.store=memberlist",
		"-ingester.ring.instance-id="+name,
		fmt.Sprintf("-ingester.ring.replication-factor=%d", replication),
	)
	for _, other := range all {
		if other != r {
			arguments = append(arguments, "-memberlist.join="+other.Address("gossip"))
		}
	}
	return arguments
}

// thanosInstance returns the arguments of one of several Receives that share a hashring.
func thanosInstance(r *Receiver, all []*Receiver, replication int, address string) []string {
	arguments := slices.DeleteFunc(flavours[thanosReceive].arguments(r, address), func(argument string) bool {
		return strings.HasPrefix(argument, "--label=")
	})
	arguments = append(arguments, fmt.Sprintf(`--label=receive="%d"`, slices.Index(all, r)+1))
	if replication == 0 {
		return arguments
	}
	endpoints := make([]string, len(all))
	for i, instance := range all {
		endpoints[i] = instance.Address("grpc")
	}
	hashring, err := json.Marshal([]map[string]any{{"endpoints": endpoints}})
	if err != nil {
		panic(err) // strings can be encoded
	}
	return append(arguments,
		"--receive.hashrings="+string(hashring),
		"--receive.local-endpoint="+r.Address("grpc"),
		fmt.Sprintf("--receive.replication-factor=%d", replication),
	)
}
