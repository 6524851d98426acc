import { createRouter } from '@tanstack/react-router'
import { routeTree } from './routeTree.gen' // written by the Vite plugin

export const getRouter = () => createRouter({ routeTree })
