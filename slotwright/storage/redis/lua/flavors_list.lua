-- project ('' for all), marker, limit
local project = ARGV[1]
local answer = {'ok'}
if project ~= '' and not has_flavors(project) then
    return answer
end
local key = project == '' and 'flavors' or project .. '.flavors'
for _, name in ipairs(page(key, ARGV[2], ARGV[3])) do
    add_flavor(answer, name, '')
end
return answer
