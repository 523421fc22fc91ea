"""Arrays only: the quadratic model, the pruning searches and the roundings (numpy and scipy)."""
