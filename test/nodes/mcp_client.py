"""Calls of the tools of an MCP server."""

from collections.abc import Awaitable, Callable
import os
import sys
from typing import Any

import mcp
import mcp.types as types
from ros_rig import ROOT

Talk = Callable[[mcp.Client], Awaitable[None]]


def stdio(*arguments: str) -> mcp.StdioServerParameters:
    """Return how an MCP client starts the server; clients pass on little of their environment."""
    ros = {k: v for k, v in os.environ.items() if k.startswith(('ROS_', 'RMW_', 'FASTRTPS_', 'PYTHON', 'LD_'))}
    return mcp.StdioServerParameters(
        command=sys.executable, args=['-m', 'converseg_ros', 'mcp', *arguments], env=ros, cwd=ROOT
    )


def text_of(result: types.CallToolResult) -> str:
    return ' '.join(c.text for c in result.content if isinstance(c, types.TextContent))


async def call(agent: mcp.Client, tool: str, **arguments: Any) -> Any:
    """Return what a tool answers; fail if it is an error."""
    result = await agent.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    return result.structured_content


async def refused(agent: mcp.Client, tool: str, **arguments: Any) -> str:
    result = await agent.call_tool(tool, arguments)
    assert result.is_error, result
    return text_of(result)
