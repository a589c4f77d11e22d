-- name, project ('' for any)
return is_flavor(ARGV[1], ARGV[2]) and 1 or 0
