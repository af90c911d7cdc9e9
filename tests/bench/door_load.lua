-- posts of the HTTP door's bench: each line of the file is a signature, a tab and a body
local threads = 0
function setup(thread)
   thread:set("number", threads)
   threads = threads + 1
end
function init(args)
   lines, at, count = {}, 0, 0
   local step = tonumber(args[2])
   for line in io.lines(args[1]) do
      if count % step == number then lines[#lines + 1] = line end
      count = count + 1
   end
   if args[3] then ledger = io.open(args[3] .. "." .. number, "w") end
   if ledger then
      response = function(status, headers, body)
         ledger:write(status, " ", string.match(body, '"receipt":(%d+)') or headers["retry-after"] or headers["Retry-After"] or "-", "\n")
      end
   end
end
function request()
   at = at % #lines + 1
   local signature, body = string.match(lines[at], "^(%S+)\t(.*)$")
   return wrk.format("POST", "/hooks/signed", {["X-Signature"] = signature, ["Content-Type"] = "application/json"}, body)
end
function done()
end
