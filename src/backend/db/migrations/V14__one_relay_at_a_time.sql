-- Events are published in the order of their ids, by one relay at a time: none is looked up by its order any more.
drop index outbox_order_idx;
