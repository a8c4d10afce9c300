package network

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// inOrder runs task(i) for i < n, up to workers at a time. A task calls deliver once,
// with what must happen one after the other in the order of i. It stops at the first
// error and when ctx is cancelled.
func inOrder(ctx context.Context, workers, n int, task func(i int, deliver func(func() error) error) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	turn := make(chan struct{})
	close(turn) // the first has its turn at once
	for i := range n {
		mine, next := turn, make(chan struct{})
		turn = next
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return task(i, func(fn func() error) error {
				select {
				case <-mine:
				case <-ctx.Done():
					return ctx.Err()
				}
				err := fn()
				if err == nil {
					close(next)
				}
				return err
			})
		})
		if ctx.Err() != nil {
			break
		}
	}
	return group.Wait()
}
