-- name
return is_pool(ARGV[1]) and 1 or 0
