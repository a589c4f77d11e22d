-- name, project ('' for any)
if not is_flavor(ARGV[1], ARGV[2]) then
    return {'missing'}
end
local answer = {'ok'}
add_flavor(answer, ARGV[1])
return answer
